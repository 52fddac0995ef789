-- Renew the leases of connections, and let everybody know when somebody is new or has other facts.
-- KEYS  room hash (also the channel), member leases, who is who
-- ARGV  1 ms to live  2 lease, ms  then pairs: connection, facts as JSON
-- Gives 1, or 0 when the room is not there.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local news = false
for index = 3, #ARGV, 2 do
  local lease = redis.call('ZSCORE', KEYS[2], ARGV[index])
  local facts = redis.call('HGET', KEYS[3], ARGV[index])
  if not lease or tonumber(lease) < now or facts ~= ARGV[index + 1] then news = true end
  redis.call('ZADD', KEYS[2], string.format('%.0f', now + tonumber(ARGV[2])), ARGV[index])
  redis.call('HSET', KEYS[3], ARGV[index], ARGV[index + 1])
end
local lapsed = redis.call('ZRANGE', KEYS[2], '-inf', '(' .. string.format('%.0f', now), 'BYSCORE')
for _, connection in ipairs(lapsed) do
  redis.call('ZREM', KEYS[2], connection)
  redis.call('HDEL', KEYS[3], connection)
  news = true
end
for index = 1, 3 do redis.call('PEXPIRE', KEYS[index], ARGV[1]) end
if news then redis.call('PUBLISH', KEYS[1], '{"t":"presence"}') end
return 1
