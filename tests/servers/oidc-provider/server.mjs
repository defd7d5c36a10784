// node oidc-provider with an adapter that forgets nothing, and POST /__pairs?n=N beside it, which begins N chains and
// prints them as `assay` reads them. ROTATE: 1 always, otherwise the library's own rule.
import http from 'node:http';
import Provider from 'oidc-provider';

const port = Number(process.env.PORT);
const issuer = `http://127.0.0.1:${port}`;
const store = new Map();
const byGrant = new Map();

class Kept {
  constructor(name) { this.name = name; }
  key(id) { return `${this.name}:${id}`; }
  async upsert(id, payload) {
    store.set(this.key(id), payload);
    if (payload.grantId && this.name !== 'Grant') {
      if (!byGrant.has(payload.grantId)) byGrant.set(payload.grantId, []);
      byGrant.get(payload.grantId).push(this.key(id));
    }
  }
  async find(id) { return store.get(this.key(id)); }
  async findByUserCode() {}
  async findByUid() {}
  async consume(id) {
    const payload = store.get(this.key(id));
    if (payload) payload.consumed = Math.floor(Date.now() / 1000);
  }
  async destroy(id) { store.delete(this.key(id)); }
  async revokeByGrantId(grant) {
    for (const key of byGrant.get(grant) ?? []) store.delete(key);
    byGrant.delete(grant);
  }
}

const client = (client_id, more) => ({
  client_id, grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'],
  redirect_uris: ['https://app.example/cb'], ...more,
});
const provider = new Provider(issuer, {
  adapter: Kept,
  clients: [
    client('app', { client_secret: 'app-secret-0123456789', token_endpoint_auth_method: 'client_secret_basic' }),
    client('other', { client_secret: 'other-secret-0123456789', token_endpoint_auth_method: 'client_secret_basic' }),
    client('public', { token_endpoint_auth_method: 'none' }),
  ],
  rotateRefreshToken: process.env.ROTATE === '1' ? true : undefined,
  ttl: { AccessToken: 3600, RefreshToken: 86400, Grant: 86400, IdToken: 3600, Session: 86400 },
  findAccount: (ctx, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  scopes: ['openid', 'offline_access', 'profile'],
});

async function pair(number, clientId) {
  const client = await provider.Client.find(clientId);
  const accountId = `user${number}`;
  const scope = 'openid offline_access profile';
  const grant = new provider.Grant({ accountId, clientId });
  grant.addOIDCScope(scope);
  const grantId = await grant.save();
  const common = {
    accountId, client, grantId, scope, gty: 'authorization_code', claims: {}, expiresWithSession: false,
    authTime: Math.floor(Date.now() / 1000),
  };
  const refresh = await new provider.RefreshToken(common).save();
  const access = await new provider.AccessToken({ ...common, extra: {} }).save();
  return JSON.stringify({ refresh, access, identity: clientId, scope });
}

const answer = provider.callback();
http.createServer(async (request, response) => {
  if (!request.url.startsWith('/__pairs')) return answer(request, response);
  const query = new URL(request.url, issuer).searchParams;
  const lines = [];
  for (let number = 0; number < Number(query.get('n')); number += 1) lines.push(await pair(number, query.get('client')));
  response.end(`${lines.join('\n')}\n`);
}).listen(port, '127.0.0.1', () => console.log('listening', port));
