/** Looks until the thing has happened; answers what it saw. A test that waits too long is ended by its own limit. */
export async function until<T>(look: () => Promise<T>, happened: (seen: T) => boolean): Promise<T> {
  for (;;) {
    const seen = await look();
    if (happened(seen)) return seen;
    await new Promise((resume) => setTimeout(resume, 5));
  }
}
