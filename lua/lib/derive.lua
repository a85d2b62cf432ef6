-- From the facts, two words: the pool state, and the set that the container belongs in (which differs for an idle
-- container that is cordoned or held). The first that applies. Writes nothing.
local function derive(f)
  if f.lease then
    return 'allocated', 'allocated'
  end
  -- It is given out no more, whatever else is said of it.
  if f.leaving then
    return 'available', 'cordoned'
  end
  if f.reset and f.reset ~= 'failed' then
    return 'resetting', 'resetting'
  end
  local state = f.state
  if f.reset or f.quarantine or f.probe == 'bad' or f.check == 'unhealthy' or (state ~= 'running' and state ~= 'created') then
    return 'unhealthy', 'unhealthy'
  end
  -- One that takes another's place is given out when the other is gone.
  if f.replaces or state == 'created' or f.check == 'starting' or (f.probed == '1' and f.probe ~= 'ok') then
    return 'initializing', 'initializing'
  end
  if f.cordon then
    return 'available', 'cordoned'
  end
  return held(f) and 'unhealthy' or 'available', 'available'
end
