-- One container by its id.
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
local container = ARGV[5]

local refused = open(false)
if refused then
  return refused
end
reclaim()
local f = container_now(container)
if not f then
  return { 'not_found' }
end
return { 'ok', describe_container(f) }
