/** After so many steps of a long piece of work the others of the process are let in. */
const STEPS = 200;

/** Maps one after the other, and lets whoever else waits for this process be served in between. */
export async function mapInBreaths<From, To>(all: readonly From[], to: (each: From, place: number) => To): Promise<To[]> {
  const done: To[] = [];
  for (const [place, each] of all.entries()) {
    done.push(to(each, place));
    if (place % STEPS === STEPS - 1) await new Promise((resume) => setImmediate(resume));
  }
  return done;
}
