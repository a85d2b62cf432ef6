-- Whether a container is to be made clean before it is given out, for somebody may have used it in writes that Redis lost: it was
-- there at the latest loss, and neither was it made clean since, nor did the lease end that was proven to have lived then. In a
-- recovery it waits until every holder had the time to prove its lease, and only for a reset that cuts off whoever did not.
local function unclean(f)
  if not S.loss or f.on_end ~= 'reset' or tonumber(string.match(f.clear or '', '^%d+') or 0) >= S.loss then
    return false
  end
  return not S.recovering or S.now >= S.trust and f.cuts == '1'
end
