"""What the bus on streams does in one step each. The time is the server's.

Keys, each below `<prefix>:<topic>:`

    meta                   hash: `partitions`, and `next:<p>`, the offset that comes next
    <p>                    stream; the id of an entry is `<offset>-0`, offsets count from 1; its
                           fields are `t`, when it came in milliseconds, and `m`, the message
    positions:<p>          hash: group -> the offset that it reads next
    members:<group>        sorted set: member -> until when it counts as alive, in milliseconds
    owner:<group>:<p>      the member that the partition belongs to; ends with its session
"""

from __future__ import annotations

from typing import Final

APPEND: Final = """
local most = tonumber(ARGV[1])
local time = redis.call('TIME')
local at = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local answer, next = {}, 2
for first = 1, #KEYS, 3 do
  local stream, positions, meta = KEYS[first], KEYS[first + 1], KEYS[first + 2]
  local counter, count = ARGV[next], tonumber(ARGV[next + 1])
  next = next + 2
  local room, lowest = most - redis.call('XLEN', stream), nil
  local tight = room < count
  if tight then
    for _, each in ipairs(redis.call('HVALS', positions)) do
      local position = tonumber(each)
      if lowest == nil or position < lowest then lowest = position end
    end
    if lowest == nil then
      room = count
    else
      redis.call('XTRIM', stream, 'MINID', '=', string.format('%.0f-0', lowest))
      room = most - redis.call('XLEN', stream)
    end
  end
  local taken = math.max(0, math.min(room, count))
  if taken > 0 then
    local before = redis.call('HINCRBY', meta, counter, taken) - taken
    for each = 1, taken do
      local id = string.format('%.0f-0', before + each)
      redis.call('XADD', stream, id, 't', at, 'm', ARGV[next + each - 1])
    end
    if tight and lowest == nil then redis.call('XTRIM', stream, 'MAXLEN', '=', most) end
  end
  next = next + count
  answer[#answer + 1] = taken
end
return answer
"""
"""Append to several partitions: how many of the entries for each there was room for, the first.

Keys: of each partition its stream, positions and meta. Arguments: how many entries a partition
keeps; then of each the field of `meta` that counts it, the number of its entries, and these.
"""

JOIN: Final = """
local now = redis.call('TIME')
local at = now[1] * 1000 + math.floor(now[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', at))
redis.call('ZADD', KEYS[1], string.format('%.0f', at + tonumber(ARGV[2])), ARGV[1])
return redis.call('ZRANGE', KEYS[1], 0, -1)
"""
"""Be alive for a session more; who is."""

CLAIM: Final = """
local owner, positions, stream, meta = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
if not redis.call('SET', owner, ARGV[1], 'NX', 'PX', ARGV[2]) then
  if redis.call('GET', owner) ~= ARGV[1] then return 0 end
end
local position = redis.call('HGET', positions, ARGV[3])
if not position then
  local first = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
  local last = tonumber(redis.call('HGET', meta, ARGV[5]) or '0')
  position = last + 1
  if ARGV[4] == 'earliest' and first then position = string.match(first[1], '%d+') end
  redis.call('HSET', positions, ARGV[3], string.format('%.0f', position))
end
return tonumber(position)
"""
"""Own a partition that nobody owns: what the group reads next there; 0 if somebody does."""

RENEW: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
"""Own a partition for a session more; 0 if another does."""

COMMIT: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local before = tonumber(redis.call('HGET', KEYS[2], ARGV[2]) or '0')
if tonumber(ARGV[3]) > before then redis.call('HSET', KEYS[2], ARGV[2], ARGV[3]) end
return 1
"""
"""Note what the group reads next, if the partition is still ours. It never goes back: a commit that
was given up on the way may come in after the one that followed it."""

RELEASE: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
"""
