/** Addresses of the servers that the tests run on; jest.config.js has them started before the first test. */
export function testServers(): { databaseUrl: string; redisUrl: string } {
  const { DATABASE_URL, REDIS_URL } = process.env;
  if (DATABASE_URL === undefined || REDIS_URL === undefined)
    throw new Error('the test servers are not running: start tests with jest');
  return { databaseUrl: DATABASE_URL, redisUrl: REDIS_URL };
}
