-- Makes a viewer pass: by it one viewer sees, or drives, what a session has, as long as that lease goes on.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] session
-- ARGV[6] owner      '' for any
-- ARGV[7] token      the fencing token; '' when the caller gave none
-- ARGV[8] pass       its hash
-- ARGV[9] view_only  '1': it does not drive
-- ARGV[10] life_ms   until its first use
-- ARGV[11] most      passes of a session that can be used
-- ARGV[12] keep_ms   how long passes are kept after the last change of one
--
-- Outcomes
--   ok           the fencing token of the lease; the end of its life by the clock
--   not_found
--   unproven     ms   in a recovery: the time to its end
--   queued
--   ended        session row
--   stale_token  current token
--   too_many
--
-- Events: those of what was overdue.
local session = ARGV[5]
local owner = ARGV[6]
local token = ARGV[7]
local pass = ARGV[8]
local view_only = ARGV[9]
local life_ms = tonumber(ARGV[10])
local most = tonumber(ARGV[11])
local keep_ms = ARGV[12]

local refused = open(true)
if refused then
  return refused
end
reclaim()
local s = session_now(session)
if not s and S.recovering then
  return { 'unproven', int(S.pause - S.now) }
end
if not s or (owner ~= '' and s.owner ~= owner) then
  return { 'not_found' }
end
if s.state == 'ended' then
  return { 'ended', describe(s, true) }
end
if s.state ~= 'ready' then
  return { 'queued' }
end
if token ~= '' and token ~= s.token then
  return { 'stale_token', s.token }
end
if doubtful(s) then
  return { 'unproven', int(S.pause - S.now) }
end

local key = S.base .. 'passes:' .. session
if redis.call('HLEN', key) >= most then
  local all = redis.call('HGETALL', key)
  for at = 1, #all, 2 do
    local of, till, viewer = string.match(all[at + 1], '^(%d+):%d:(%d+):(.*)$')
    if of ~= s.token or viewer == '-' or (viewer == '' and tonumber(till) <= S.now) then
      redis.call('HDEL', key, all[at])
    end
  end
  if redis.call('HLEN', key) >= most then
    return { 'too_many' }
  end
end
redis.call('HSETNX', key, pass, table.concat({ s.token, view_only, int(S.now + life_ms), '' }, ':'))
redis.call('PEXPIRE', key, keep_ms)
return { 'ok', s.token, int(S.wall + life_ms) }
