-- Whether an idle container is held: in a recovery, somebody may still have a lease of it that Redis lost.
local function held(f)
  return S.recovering and S.now < (free_from(f) or S.pause)
end
