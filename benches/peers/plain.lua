-- One request again and again: wrk makes its bytes once.
local body = io.open(os.getenv("PEERS_BODY")):read("*a")
wrk.method = "POST"
wrk.body = body
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Accept"] = "application/json"
