-- Takes back what is overdue and serves the line; ticks the type's pool time. Run by every replica's reaper; needs none.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
--
-- Outcomes
--   ok  how many were overdue (16: perhaps more), the epoch, and 'new' or 'adopted' when this call began it
--
-- Events: those of what was overdue.
local refused = open(false)
if refused then
  return refused
end
local taken = reclaim()
if redis.call('ZCARD', S.base .. 'queue') > 0 and redis.call('ZCARD', S.base .. 'available') > 0 then
  licence()
  serve()
end
return { 'ok', taken, int(S.epoch), S.adopted or false }
