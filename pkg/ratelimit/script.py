"""`reckoning` in Lua, for a server that reckons with doubles: all sums stay below 2^53.

`TAKE` gets the time in microseconds, or -1 for the server's own, the cost, and for each key its
algorithm, unit and limit; it returns four numbers for each. `GIVE_BACK` gets the same, and undoes
what `TAKE` did.
"""

from __future__ import annotations

from typing import Final

from pkg.ratelimit.rule import Algorithm

CODES: Final = {Algorithm.GCRA: 0, Algorithm.SLIDING_WINDOW: 1, Algorithm.LEAKY_BUCKET: 2}

_STATE: Final = """
local now, cost = tonumber(ARGV[1]), tonumber(ARGV[2])
if now < 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local milliseconds = math.floor(now / 1000)

local function whole(number) return string.format('%.0f', number) end

local function bucket(key, full)
  local debt, at = string.match(redis.call('GET', key) or '', '^(%d+) (%d+)$')
  if not debt or (tonumber(at) - now) * 1000 > full then return 0 end
  return math.max(0, tonumber(debt) - math.max(0, now - tonumber(at)) * 1000)
end

local function keep_bucket(key, debt)
  redis.call('SET', key, whole(debt) .. ' ' .. whole(now), 'PX', whole(math.ceil(debt / 1e6) + 1))
end

local function window(key, size)
  local number = math.floor(milliseconds / size)
  local kept, taken, before = string.match(redis.call('GET', key) or '', '^(%d+) (%d+) (%d+)$')
  kept = tonumber(kept)
  if not kept or kept < number - 1 or kept > number + 1 then return number, 0, 0 end
  if kept == number - 1 then return number, 0, tonumber(taken) end
  return number, tonumber(taken), tonumber(before)
end

local function keep_window(key, size, number, taken, before)
  local state = whole(number) .. ' ' .. whole(taken) .. ' ' .. whole(before)
  redis.call('SET', key, state, 'PX', whole(2 * size))
end
"""

TAKE: Final = (
    _STATE
    + """
local states, waits, allowed = {}, {}, true
for i, key in ipairs(KEYS) do
  local kind, unit, limit = ARGV[3 * i], tonumber(ARGV[3 * i + 1]), tonumber(ARGV[3 * i + 2])
  local wait = 0
  if kind == '1' then
    local number, taken, before = window(key, unit)
    local room, left = limit - cost, unit - (milliseconds - number * unit)
    if before * left + taken * unit > room * unit then
      if taken <= room then
        wait = math.ceil(left - (room - taken) * unit / before) * 1000000
      else
        wait = math.ceil(left + unit - room * unit / taken) * 1000000
      end
    end
    states[i] = {number, taken, before}
  else
    local debt = bucket(key, limit * unit)
    wait = math.max(0, debt + cost * unit - limit * unit)
    states[i] = {debt}
  end
  waits[i] = wait
  allowed = allowed and wait == 0
end
local told = {}
for i, key in ipairs(KEYS) do
  local kind, unit, limit = ARGV[3 * i], tonumber(ARGV[3 * i + 1]), tonumber(ARGV[3 * i + 2])
  local remaining, reset, delay = 0, 0, 0
  if kind == '1' then
    local number, taken, before = unpack(states[i])
    if allowed then
      taken = taken + cost
      keep_window(key, unit, number, taken, before)
    end
    local left = unit - (milliseconds - number * unit)
    remaining = math.floor(math.max(0, limit * unit - before * left - taken * unit) / unit)
    if taken > 0 then reset = left + unit elseif before > 0 then reset = left end
    reset = reset * 1000000
  else
    local debt = states[i][1]
    if kind == '2' then delay = debt end
    if allowed then
      debt = debt + cost * unit
      keep_bucket(key, debt)
    end
    remaining = math.floor(math.max(0, limit * unit - debt) / unit)
    reset = debt
  end
  told[#told + 1] = remaining
  told[#told + 1] = waits[i]
  told[#told + 1] = reset
  told[#told + 1] = delay
end
return told
"""
)

GIVE_BACK: Final = (
    _STATE
    + """
for i, key in ipairs(KEYS) do
  local kind, unit, limit = ARGV[3 * i], tonumber(ARGV[3 * i + 1]), tonumber(ARGV[3 * i + 2])
  if kind == '1' then
    local number, taken, before = window(key, unit)
    local from_before = math.max(0, cost - taken)
    taken, before = math.max(0, taken - cost), math.max(0, before - from_before)
    keep_window(key, unit, number, taken, before)
  else
    keep_bucket(key, math.max(0, bucket(key, limit * unit) - cost * unit))
  end
end
"""
)
