-- In a recovery: from when on, in pool time, a container is free though the recovery goes on, for nobody can hold it. Nil
-- when it is held until the end. It is cleared when a lease of it that was proven to have lived at the loss has ended,
-- and is free once all others had the time to be proven; or when it was started after the loss, and is free at once.
local function free_from(f)
  local epoch, from = string.match(f.clear or '', '^(%d+)%-(%d+)$')
  return S.loss and epoch == int(S.loss) and tonumber(from) or nil
end
