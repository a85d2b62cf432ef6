-- What a container is made anew from, by its id: kept until the one in its place is in use, whatever becomes of the
-- container meanwhile. Its key, and who can act on it, or nil when nothing is kept.
local function definition(id)
  local key = S.base .. 'definition:' .. id
  return key, redis.call('HGET', key, 'provider') or nil
end
