-- Ends a container's quarantine, and forgets why it was there: what its name failed before counts no more. One whose reset failed is to
-- be made clean again at once. Safe to repeat.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] container
-- ARGV[6] by         who does it; at most 60 bytes
--
-- Outcomes
--   ok  container row
--   not_found
--
-- Events: container.quarantine_lifted, container.state, session.offered.
local container = ARGV[5]
local by = ARGV[6]

local base = S.base
local refused = open(false)
if refused then
  return refused
end
reclaim()
local f = container_now(container)
if not f then
  return { 'not_found' }
end
licence()
local key = base .. 'container:' .. f.id
local place = redis.call('HGET', key, 'place')
if place then
  redis.call('DEL', base .. 'strikes:' .. place)
end
if f.quarantine then
  redis.call('ZREM', base .. 'quarantine', f.id)
  redis.call('HDEL', key, 'quarantine', 'strikes')
  f.quarantine = nil
  event('container.quarantine_lifted', 'container', f.id, 'by', by)
  local changes
  if f.reset == 'failed' then
    changes = {}
    want_reset(f, changes)
  end
  settle(f, false, changes)
end
return { 'ok', describe_container(f) }
