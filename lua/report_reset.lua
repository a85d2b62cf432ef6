-- Takes in how an attempt to make a container clean went. What is not of the present attempt is dropped: another worker
-- has it, or the container was removed or came back.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] container
-- ARGV[6] attempt
-- ARGV[7] failure     '' when it is clean; at most 60 bytes
-- ARGV[8] how         'restarted': it is another incarnation now, and clean when discovery has seen that; 'replaced':
--                      another container is in its place; else ''
-- ARGV[9] pause_ms    before the next attempt, of one that failed
-- ARGV[10] attempts    the most in a row
-- ARGV[11] rest_ms     of a container whose last attempt failed, the first time
-- ARGV[12] longest_ms  of such rests
--
-- Outcomes
--   clean
--   replaced  the one in its place is given out from now on
--   unseen   it is clean when discovery has seen the new incarnation
--   again    after a pause
--   failed   it rests
--   stale
--
-- Events: container.reset, container.reset_failed, container.recreated, container.cordoned, container.removed,
-- container.state, session.offered.
local container = ARGV[5]
local attempt = ARGV[6]
local failure = ARGV[7]
local how = ARGV[8]
local pause_ms = tonumber(ARGV[9])
local attempts = tonumber(ARGV[10])
local rest_ms = tonumber(ARGV[11])
local longest_ms = tonumber(ARGV[12])

local base = S.base
local refused = open(false)
if refused then
  return refused
end
licence()
reclaim()

local f = facts(container)
local kept = definition(container)
-- One that is being made anew may be gone.
local key = f and base .. 'container:' .. container or kept
local known = redis.call('HMGET', key, 'attempt', 'tries', 'reset_inc')
if known[1] ~= attempt or f and (f.reset ~= 'due' or f.lease) then
  return { 'stale' }
end
if failure == '' and how == 'replaced' then
  replaced(container, f)
  return { 'replaced' }
elseif failure == '' then
  if how == 'restarted' and f.inc == known[3] then
    -- The deadline stays: if discovery does not see it by then, it is tried again.
    redis.call('HSET', key, 'reset', 'acted')
    return { 'unseen' }
  end
  cleaned(f)
  return { 'clean' }
end
if tonumber(known[2]) >= attempts then
  if f then
    reset_failed(f, failure, rest_ms, longest_ms)
  else
    gone_failed(container, failure, rest_ms, longest_ms)
  end
  return { 'failed' }
end
redis.call('HSET', key, 'reset_why', failure)
redis.call('ZADD', base .. 'resets', int(S.now + pause_ms), container)
return { 'again' }
