-- One page of a provider's containers, by id. It looks at `most` containers of the type, whoever's they are, so that no
-- page is long: one may be empty, and others follow.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] provider
-- ARGV[6] after     where the page before ended; ''
-- ARGV[7] most      at most 250
--
-- Outcomes
--   ok  rows of id, then what to give as `after` ('' at the end)
local provider = ARGV[5]
local after = ARGV[6]
local most = tonumber(ARGV[7])

local refused = open(false)
if refused then
  return refused
end
local from = after == '' and '-' or '(' .. after
local ids = redis.call('ZRANGEBYLEX', S.base .. 'containers', from, '+', 'LIMIT', 0, most)
local rows = {}
for _, id in ipairs(ids) do
  if redis.call('HGET', S.base .. 'container:' .. id, 'provider') == provider then
    rows[#rows + 1] = { id }
  end
end
return { 'ok', rows, #ids == most and ids[#ids] or '' }
