// Chains for k6: each virtual user has one, and puts the pair of each answer into its next request.
import http from 'k6/http';

const request = JSON.parse(open(__ENV.PEERS_BODY));
const options = { headers: { 'Content-Type': 'application/json', Accept: 'application/json' } };

export default function () {
  const answer = http.post(__ENV.PEERS_URL, JSON.stringify(request), options);
  const pair = answer.json().RefreshTokenResponse;
  if (answer.status === 200 && pair.isSuccess === 'true') {
    request.expiredAccessToken = pair.accessToken;
    request.RefreshToken = pair.refreshToken;
  }
}
