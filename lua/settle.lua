-- Settles one container from the facts in its record. For tests that write facts by hand, and for repair.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] container
--
-- Outcomes
--   ok  container row
--   not_found
--
-- Events: container.state, session.offered.
local container = ARGV[5]

local refused = open(false)
if refused then
  return refused
end
licence()
reclaim(true)
local f = container_now(container)
if not f then
  return { 'not_found' }
end
settle(f)
return { 'ok', describe_container(f) }
