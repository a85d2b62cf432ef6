-- Takes back what is overdue and serves the line; ticks the type's pool time; after a loss has made clean what may not be. Run by
-- every replica's reaper; needs none.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
--
-- Outcomes
--   ok  how many were overdue, the epoch, a fencing token that none granted yet is above, the time to the end of a
--       recovery in ms (or false), and 1 when there may be more to do (or 0)
--
-- Events: those of what was overdue, container.state.
local refused = open(false)
if refused then
  return refused
end
local taken = reclaim(true)
cleanse()
return { 'ok', taken, int(S.epoch), int(math.max(S.us, S.floor)), S.recovering and int(S.pause - S.now), S.more and 1 or 0 }
