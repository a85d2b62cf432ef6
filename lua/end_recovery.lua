-- Ends a recovery before its time, for an operator who knows that nobody holds what was not proven.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
--
-- Outcomes
--   ok  1 when there was one (or 0)
--
-- Events: recovery.ended, and those of the line that is served.
local refused = open(false)
if refused then
  return refused
end
local found = S.recovering
if found then
  S.recovering = false
  S.pause = S.now
end
reclaim(true)
return { 'ok', found and 1 or 0 }
