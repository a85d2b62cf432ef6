-- Uses a viewer pass. The first use makes it that viewer's: it comes back by it, and nobody else does. Safe to repeat for a viewer that
-- has a name.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] session
-- ARGV[6] pass     its hash
-- ARGV[7] viewer   the hash of the viewer's own secret; '' for none, and then it is used once
-- ARGV[8] keep_ms  how long passes are kept after the last change of one
--
-- Outcomes
--   ok        whether it does not drive ('1'); session row
--   no_pass   it is not of this session, of another lease, or was not used in time
--   used      by another viewer
--   unproven  ms   in a recovery: the time to its end
--   ended     session row
--
-- Events: those of what was overdue.
local session = ARGV[5]
local pass = ARGV[6]
local viewer = ARGV[7]
local keep_ms = ARGV[8]

local refused = open(false)
if refused then
  return refused
end
reclaim()
local s = session_now(session)
if not s and S.recovering then
  return { 'unproven', int(S.pause - S.now) }
end
local key = S.base .. 'passes:' .. session
local known = s and redis.call('HGET', key, pass)
if not known then
  return { 'no_pass' }
end
local of, view_only, till, by = string.match(known, '^(%d+):(%d):(%d+):(.*)$')
if s.state == 'ended' then
  return { 'ended', describe(s, true) }
end
if s.state ~= 'ready' or of ~= s.token then
  return { 'no_pass' }
end
if doubtful(s) then
  return { 'unproven', int(S.pause - S.now) }
end
if by == '' then
  if tonumber(till) <= S.now then
    return { 'no_pass' }
  end
  by = viewer ~= '' and viewer or '-'
elseif by ~= viewer then
  return { 'used' }
end
licence()
redis.call('HSET', key, pass, table.concat({ of, view_only, till, by }, ':'))
redis.call('PEXPIRE', key, keep_ms)
return { 'ok', view_only, describe(s) }
