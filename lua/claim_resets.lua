-- Claims containers that are to be made clean. A worker that has not reported by its deadline is taken for dead: the reset is
-- due again, as another attempt.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] most         at most 100
-- ARGV[6] deadline_ms  how long an attempt may take
-- ARGV[7] attempts     the most in a row
-- ARGV[8] rest_ms      of a container whose last attempt failed, the first time
-- ARGV[9] longest_ms   of such rests
--
-- Outcomes
--   ok  rows of id, provider, attempt, how many it is in a row, whether a restart was asked for ('1'), how
--       many sessions used it, and what it is made anew from, when that is kept
--
-- Events: container.reset_failed.
local most = tonumber(ARGV[5])
local deadline_ms = tonumber(ARGV[6])
local attempts = tonumber(ARGV[7])
local rest_ms = tonumber(ARGV[8])
local longest_ms = tonumber(ARGV[9])

local refused = open(false)
if refused then
  return refused
end
reclaim()
-- A replica of a version that knows no workers leaves the fact alone: what it gave back is work as well.
if redis.call('ZCARD', S.base .. 'resetting') > redis.call('ZCARD', S.base .. 'resets') then
  licence()
  for _, id in ipairs(redis.call('ZRANGE', S.base .. 'resetting', 0, most - 1)) do
    redis.call('ZADD', S.base .. 'resets', 'NX', int(S.now), id)
  end
end
local rows = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', S.base .. 'resets', '-inf', int(S.now), 'LIMIT', 0, most)) do
  licence()
  local f = facts(id)
  local kept, keeper = definition(id)
  -- One that is being made anew is work also when it is gone.
  if f and (not f.reset or f.lease) or not f and not keeper then
    redis.call('ZREM', S.base .. 'resets', id)
  else
    local key = f and S.base .. 'container:' .. id or kept
    local known = redis.call('HMGET', key, 'tries', 'reset_why')
    local tries = tonumber(known[1] or 0)
    local why = known[2] or 'no worker reported in time'
    if tries >= attempts and f then
      reset_failed(f, why, rest_ms, longest_ms)
    elseif tries >= attempts then
      gone_failed(id, why, rest_ms, longest_ms)
    else
      -- By the time, so that no report of an attempt is ever taken for that of another.
      local attempt = int(S.us)
      if f then
        redis.call('HSET', key, 'reset', 'due', 'attempt', attempt, 'tries', int(tries + 1), 'reset_inc', f.inc)
        if S.loss and (not S.recovering or redis.call('HGET', key, 'cuts') == '1') then
          redis.call('HSET', key, 'made_for', int(S.loss))
        end
      end
      if keeper then
        redis.call('HSET', kept, 'attempt', attempt, 'tries', int(tries + 1), 'made_for', int(S.loss or 0))
      end
      redis.call('ZADD', S.base .. 'resets', int(S.now + deadline_ms), id)
      rows[#rows + 1] = { id, f and f.provider or keeper, attempt, int(tries + 1),
        f and f.restart and '1' or '0', f and f.uses or '0', keeper and redis.call('HGET', kept, 'text') or false }
    end
  end
end
return { 'ok', rows }
