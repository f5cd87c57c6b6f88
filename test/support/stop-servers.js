/** After all tests: leaves the servers; they stop unless another run is using them. */
export default async function stopServers() {
  await globalThis.testServers?.stop();
}
