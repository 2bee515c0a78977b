/**
 * Every metric there is. Names are a promise to dashboards and alerts. Units are Prometheus' base units, counters end in
 * `_total`, and no label has a client's address in it, so that the number of series depends on the configuration alone.
 */
import { type CatalogueEntry, describeSection } from './section.ts';
import { backendSection } from './sections/backend.ts';
import { buildSection, instanceSection } from './sections/instance.ts';
import { pathSection, workerSection } from './sections/path.ts';
import { processSection } from './sections/process.ts';
import { serviceSection } from './sections/service.ts';

/** All of them without their values, in the order in which they are served: for the manual and the tests. */
export const catalogue: readonly CatalogueEntry[] = [
  ...describeSection(buildSection),
  ...describeSection(instanceSection),
  ...describeSection(serviceSection),
  ...describeSection(backendSection),
  ...describeSection(pathSection),
  ...describeSection(workerSection),
  ...describeSection(processSection),
];
