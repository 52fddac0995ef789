-- One operation in one step: checks, version, time, write, expiry, publication. The same rules as domain/timeline.py.
-- KEYS  room hash (also the channel), member leases, who is who, answer of this opid
-- ARGV  1 by  2 opid  3 epoch  4 base_v  5 kind  6 pos_ms or ''  7 rate or ''  8 item or ''  9 lead_ms
--       10 ms to live  11 operations a second for the whole room
-- Gives {status, detail, vec as JSON, now_ms}; {'gone'} when the room is not there.
local PAUSE_AHEAD_MS, PAUSE_WINS_MS, TAIL_MS, ANSWER_KEPT_MS = 100, 500, 100, 60000
local by, opid, epoch, base_v, kind = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local asked_pos, asked_rate, asked_item, lead = tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8], tonumber(ARGV[9])

local names = {'epoch', 'v', 'item', 'pos_ms', 'rate', 'at_ms', 'by', 'op', 'speed', 'item_v',
               'pause_v', 'pause_by', 'pause_ms', 'second', 'in_second'}
local found = redis.call('HMGET', KEYS[1], unpack(names))
local room = {}
for index, name in ipairs(names) do room[name] = found[index] end
if not room.epoch then return {'gone'} end

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000

local function rounded(value) return math.floor(value * 1000 + 0.5) / 1000 end

local function text(value) return string.format('%.3f', value) end

local function vec_json()
  return '{"epoch":' .. cjson.encode(room.epoch) .. ',"v":' .. room.v .. ',"item":' .. cjson.encode(room.item)
    .. ',"pos_ms":' .. room.pos_ms .. ',"rate":' .. room.rate .. ',"at_ms":' .. room.at_ms
    .. ',"by":' .. cjson.encode(room.by) .. ',"op":' .. cjson.encode(room.op) .. '}'
end

local known = redis.call('GET', KEYS[4])
if known then
  local first = cjson.decode(known)
  if first[1] == 'applied' then first[1] = 'duplicate' end
  return {first[1], first[2], first[3], string.format('%.17g', now)}
end

local in_second = 1
if room.second == time[1] then in_second = tonumber(room.in_second) + 1 end
if in_second > tonumber(ARGV[11]) then return {'limited', 'room', vec_json(), string.format('%.17g', now)} end
redis.call('HSET', KEYS[1], 'second', time[1], 'in_second', in_second)

local function reply(status, detail)
  local vec = vec_json()
  redis.call('SET', KEYS[4], cjson.encode({status, detail, vec}), 'PX', ANSWER_KEPT_MS)
  return {status, detail, vec, string.format('%.17g', now)}
end

local function length_of(item)
  local length = redis.call('HGET', KEYS[1], 'length:' .. item)
  return length and tonumber(length)
end

if epoch ~= room.epoch then return reply('stale', 'epoch') end
if kind == 'item' then
  if asked_item == '' or not length_of(asked_item) then return reply('invalid', 'item') end
  if base_v < tonumber(room.item_v) then return reply('stale', 'item') end
end
if kind == 'seek' and not asked_pos then return reply('invalid', 'pos_ms') end
if kind == 'rate' and not asked_rate then return reply('invalid', 'rate') end
if kind == 'play' and room.pause_v and base_v < tonumber(room.pause_v) and by ~= room.pause_by
    and now - tonumber(room.pause_ms) < PAUSE_WINS_MS then
  return reply('stale', 'pause')
end

local old_pos, old_rate, old_at = tonumber(room.pos_ms), tonumber(room.rate), tonumber(room.at_ms)
local old_length = length_of(room.item)
local function position_at(moment)
  return math.min(math.max(old_pos + math.max(0, moment - old_at) * old_rate, 0), old_length)
end

local speed, item = tonumber(room.speed), room.item
if asked_rate and (kind == 'play' or kind == 'rate') then speed = rounded(asked_rate) end
if kind == 'item' then item = asked_item end
local pos, rate, at
local playing = old_rate > 0
if kind == 'pause' then
  at = now + PAUSE_AHEAD_MS
  pos, rate = position_at(at), 0
else
  rate = (kind == 'play' or playing) and speed or 0
  if kind == 'seek' or kind == 'item' or (kind == 'play' and (asked_pos or not playing)) then
    pos = asked_pos or (kind == 'item' and 0 or position_at(now))
    at = rate > 0 and now + lead or now
  elseif now < old_at then
    pos, at = old_pos, old_at
  else
    pos, at = position_at(now), now
  end
end
pos = rounded(math.min(math.max(pos, 0), math.max(0, length_of(item) - TAIL_MS)))

room.v = string.format('%d', tonumber(room.v) + 1)
room.item, room.pos_ms, room.rate, room.at_ms = item, text(pos), text(rate), text(rounded(at))
room.by, room.op = by, kind
redis.call('HSET', KEYS[1], 'v', room.v, 'item', item, 'pos_ms', room.pos_ms, 'rate', room.rate,
           'at_ms', room.at_ms, 'by', by, 'op', kind, 'speed', text(speed))
if kind == 'item' then redis.call('HSET', KEYS[1], 'item_v', room.v) end
if kind == 'pause' then
  redis.call('HSET', KEYS[1], 'pause_v', room.v, 'pause_by', by, 'pause_ms', string.format('%.17g', now))
end
for index = 1, 3 do redis.call('PEXPIRE', KEYS[index], ARGV[10]) end
redis.call('PUBLISH', KEYS[1], '{"t":"vec","vec":' .. vec_json() .. '}')
return reply('applied', '')
