-- Cordons a container and waits, until a deadline, for its session to end; then ends it, where that is forced. What runs
-- first after the deadline does so. Again: the deadline is that of the last call.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] container
-- ARGV[6] by           who does it; at most 60 bytes
-- ARGV[7] deadline_ms  how long it is waited for
-- ARGV[8] force        '1': the session ends then; '0': it goes on
--
-- Outcomes
--   ok  container row; it is drained when no session has it
--   not_found
--
-- Events: container.cordoned, container.draining, container.drained, container.drain_expired, container.state,
-- session.ended.
local container = ARGV[5]
local by = ARGV[6]
local deadline_ms = tonumber(ARGV[7])
local force = ARGV[8]

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
local changes = {}
if not f.cordon then
  f.cordon = by
  mark_cordon(f.id, by)
  changes = { 'cordon', by }
  event('container.cordoned', 'container', f.id, 'by', by)
end
if not f.lease then
  if #changes > 0 then
    settle(f, false, changes)
  end
  event('container.drained', 'container', f.id)
  return { 'ok', describe_container(f) }
end
local deadline = S.now + deadline_ms
f.drain = int(deadline) .. ':' .. force
changes[#changes + 1] = 'drain'
changes[#changes + 1] = f.drain
redis.call('HSET', S.base .. 'container:' .. f.id, unpack(changes))
event('container.draining', 'container', f.id, 'by', by, 'session', f.lease, 'until', int(deadline - S.now + S.wall),
  'force', force)
if deadline_ms > 0 then
  redis.call('ZADD', S.base .. 'draining', int(deadline), f.id)
  due_at(deadline)
else
  end_drain(f.id)
  f = facts(f.id)
end
return { 'ok', describe_container(f) }
