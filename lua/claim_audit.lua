-- Claims the audit of a type for a replica, or goes on with it: one at a time, and not again for a while after the last
-- one ended.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] replica
-- ARGV[6] hold_ms   how long the claim lasts
-- ARGV[7] pause_ms  the pause after the last audit
--
-- Outcomes
--   claimed
--   busy     another replica has it, or it is too early
local replica = ARGV[5]
local hold_ms = tonumber(ARGV[6])
local pause_ms = tonumber(ARGV[7])

local refused = open(false)
if refused then
  return refused
end
local key = S.base .. 'audit'
local claim = redis.call('HMGET', key, 'by', 'until', 'finished')
local lasts = tonumber(claim[2] or 0)
-- A claim that lasts longer than any, and an end that is still to come, are from before the clock was set back.
local live = claim[1] and claim[1] ~= '' and lasts > S.wall and lasts <= S.wall + hold_ms
local finished = tonumber(claim[3] or 0)
local early = finished <= S.wall and finished + pause_ms > S.wall
if live and claim[1] ~= replica or not live and early then
  return { 'busy' }
end
licence()
redis.call('HSET', key, 'by', replica, 'until', int(S.wall + hold_ms))
return { 'claimed' }
