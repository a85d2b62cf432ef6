-- Lets a container be given out again; a drain of it ends without its deadline. Safe to repeat.
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
-- Events: container.uncordoned, container.state, session.offered.
local container = ARGV[5]
local by = ARGV[6]

local refused = open(false)
if refused then
  return refused
end
reclaim()
local f = container_now(container)
if not f then
  return { 'not_found' }
end
if f.cordon then
  licence()
  redis.call('ZREM', S.base .. 'draining', f.id)
  redis.call('HDEL', S.base .. 'cordons', f.id)
  operated()
  redis.call('HDEL', S.base .. 'container:' .. f.id, 'cordon', 'drain')
  f.cordon, f.drain = nil, nil
  event('container.uncordoned', 'container', f.id, 'by', by)
  settle(f)
end
return { 'ok', describe_container(f) }
