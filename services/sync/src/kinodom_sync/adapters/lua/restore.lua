-- Put back what Redis has lost (its last second, or everything) from the memory of a replica that serves the room.
-- Nothing happens when Redis knows as much or more.
-- KEYS  room hash (also the channel), zset of all rooms
-- ARGV  1 ms to live  2 room id  3 score in the set  4 epoch  5 v  6 vec as JSON  then pairs: field, value
local held = redis.call('HMGET', KEYS[1], 'epoch', 'v')
if held[1] and (held[1] ~= ARGV[4] or tonumber(held[2]) >= tonumber(ARGV[5])) then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 7))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[2])
redis.call('PUBLISH', KEYS[1], '{"t":"vec","vec":' .. ARGV[6] .. '}')
return 1
