-- Whether an idle container is held: in a recovery, somebody may still have a lease of it that Redis lost. One is cleared
-- when a lease of it that was proven to have lived at the loss has ended, once all others had the time to be proven.
local function held(f)
  return S.recovering and not (f.clear == int(S.epoch) and S.now >= S.trust)
end
