-- Takes or renews the claim to keep a type's history, or gives it back. Whoever has it goes on after the last event that is
-- in the history; where there is none yet, with the first one that is kept.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] replica
-- ARGV[6] hold_ms  how long the claim lasts; 0: it is given back
--
-- Outcomes
--   claimed  epoch and sequence of the last event that is in the history
--   busy     another replica has it
local replica = ARGV[5]
local hold_ms = tonumber(ARGV[6])

local refused = open(true)
if refused then
  return refused
end
local key = S.base .. 'history'
local claim = redis.call('HMGET', key, 'by', 'until', 'epoch', 'sequence')
local lasts = tonumber(claim[2] or 0)
-- A claim that lasts longer than any is from before the clock was set back.
local live = claim[1] and claim[1] ~= '' and lasts > S.wall and (hold_ms == 0 or lasts <= S.wall + hold_ms)
if live and claim[1] ~= replica then
  return { 'busy' }
end
redis.call('HSET', key, 'by', hold_ms == 0 and '' or replica, 'until', int(S.wall + hold_ms))
return { 'claimed', claim[3] or '0', claim[4] or '0' }
