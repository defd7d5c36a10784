-- Chains: the pair of each answer goes into the next request. wrk does not say which connection a request is for, so
-- pairs wait in a queue, and each is sent once. The head is made once: all bodies have the same length.
local body = io.open(os.getenv("PEERS_BODY")):read("*a")
local before, access, between, refresh, after =
  body:match('^(.*"expiredAccessToken":")([^"]*)(","RefreshToken":")([^"]*)(".*)$')
local pairs_left, first, last = {}, 1, 0
local head

function init()
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["Accept"] = "application/json"
  local whole = wrk.format("POST", nil, nil, body)
  head = whole:sub(1, #whole - #body)
end

function request()
  local pair = pairs_left[first]
  if pair then
    pairs_left[first] = nil
    first = first + 1
  else
    pair = { access, refresh }
  end
  return head .. before .. pair[1] .. between .. pair[2] .. after
end

function response(status, headers, answer)
  local own_access, own_refresh = answer:match('"accessToken":"([^"]+)","refreshToken":"([^"]+)"')
  if status == 200 and own_access then
    last = last + 1
    pairs_left[last] = { own_access, own_refresh }
  end
end
