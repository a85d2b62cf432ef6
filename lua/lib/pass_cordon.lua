-- The cordon of a container that is made anew goes over to the one in its place, with the words of who cordoned it.
local function pass_cordon(f, n)
  local by = f and f.cordon
  if not by then
    return
  end
  redis.call('HDEL', S.base .. 'container:' .. f.id, 'cordon')
  redis.call('HDEL', S.base .. 'cordons', f.id)
  f.cordon = nil
  if not n.cordon then
    n.cordon = by
    redis.call('HSET', S.base .. 'container:' .. n.id, 'cordon', by)
    mark_cordon(n.id, by)
    event('container.cordoned', 'container', n.id, 'by', by)
  end
end
