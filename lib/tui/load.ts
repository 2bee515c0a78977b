/**
 * Loads the dashboard, and with it Ink and React, which nobody pays for who does not see it. React is to be the one
 * for production: the other one is slower and notes down every picture that it makes.
 */

/** The dashboard on a terminal. */
export function loadDashboard() {
  return asInProduction(() => import('./show.tsx'));
}

/** The dashboard as a picture. */
export function loadSnapshot() {
  return asInProduction(() => import('./snapshot.tsx'));
}

async function asInProduction<Module>(load: () => Promise<Module>): Promise<Module> {
  const { NODE_ENV, DEV } = process.env;
  // With DEV Ink would look for tools of its developers.
  setEnvironment({ NODE_ENV: 'production', DEV: undefined });
  try {
    return await load();
  } finally {
    setEnvironment({ NODE_ENV, DEV });
  }
}

function setEnvironment(variables: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}
