-- Give up the lease of one connection. The room's own time begins when nobody is left.
-- KEYS  room hash (also the channel), member leases, who is who
-- ARGV  1 connection  2 ms to live when it was the last one
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
if redis.call('ZCARD', KEYS[2]) == 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
redis.call('PUBLISH', KEYS[1], '{"t":"presence"}')
return 1
