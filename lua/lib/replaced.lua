-- A container was made anew, and the one in its place is fit: it is given out from now on, and the old one is forgotten.
local function replaced(id, f)
  local kept = definition(id)
  local new = redis.call('HGET', kept, 'new')
  local made_for = redis.call('HGET', kept, 'made_for')
  redis.call('DEL', kept)
  redis.call('ZREM', S.base .. 'resets', id)
  local n = new and facts(new)
  if n then
    -- One that came since it took the place.
    pass_cordon(f, n)
    absolve(n, made_for)
  end
  if f then
    forget(f)
  end
  event('container.recreated', 'container', new or '', 'replaces', id)
  if n and n.replaces == id then
    n.replaces = nil
    redis.call('HDEL', S.base .. 'container:' .. new, 'replaces')
    settle(n)
  end
end
