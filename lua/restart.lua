-- Has a container restarted by a worker, as a reset does: whoever dies meanwhile, the fact that it was asked for stays until
-- that is done. One that a session has is left alone, or with force its session ends first; then it is made clean as after
-- every session. Safe to repeat: what was asked for and is not done is asked for once.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] container
-- ARGV[6] by         who does it; at most 60 bytes
-- ARGV[7] force      '1': a session that has it ends
--
-- Outcomes
--   ok         container row
--   in_use     the session that has it
--   not_found
--
-- Events: container.restart_asked, session.ended, container.state, container.drained.
local container = ARGV[5]
local by = ARGV[6]
local force = ARGV[7]

local refused = open(false)
if refused then
  return refused
end
reclaim()
local f = container_now(container)
if not f then
  return { 'not_found' }
end
local s = f.lease and session_of(f.lease)
if f.lease and not (s and force == '1') then
  return { 'in_use', f.lease }
end
local key = S.base .. 'container:' .. f.id
-- One that is being made anew is more than restarted.
local asked = f.restart and f.reset == 'due' or redis.call('EXISTS', S.base .. 'definition:' .. f.id) == 1
if not asked or s then
  licence()
  redis.call('HSET', key, 'restart', by)
  -- An attempt that began before has no say any more.
  redis.call('HDEL', key, 'attempt')
  event('container.restart_asked', 'container', f.id, 'by', by, 'force', force, unpack(s and { 'session', s.id } or {}))
  if s then
    s.by = by
    finish(s, 'admin')
  else
    f.restart = by
    if f.reset == 'failed' then
      -- It need not rest to the end.
      redis.call('ZREM', S.base .. 'quarantine', f.id)
      redis.call('HDEL', key, 'quarantine')
      f.quarantine = nil
    end
    local changes = {}
    want_reset(f, changes)
    settle(f, false, changes)
  end
end
return { 'ok', describe_container(facts(f.id)) }
