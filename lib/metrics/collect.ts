/** From the views of an instance to what `GET /metrics` answers: the catalogue applied to them. Pure. */
import type { BackendView, PathView } from '../model/view.ts';
import { type Family, formatExposition, type Labels, type Sample } from './exposition.ts';
import type { ProcessReading } from './process.ts';
import type { Metric, Section } from './section.ts';
import { backendSection } from './sections/backend.ts';
import { buildSection, type InstanceReading, instanceSection } from './sections/instance.ts';
import { pathSection, workerSection } from './sections/path.ts';
import { processSection } from './sections/process.ts';
import { serviceSection } from './sections/service.ts';

/** Everything that is measured, read at one moment. */
export interface Reading extends InstanceReading {
  readonly backends: readonly BackendView[];
  readonly paths: readonly PathView[];
  readonly process: ProcessReading;
}

/** All metrics of the catalogue, as Prometheus text. */
export function formatMetrics(reading: Reading): string {
  return formatExposition([
    ...toFamilies(buildSection, [reading]),
    ...toFamilies(instanceSection, [reading]),
    ...toFamilies(serviceSection, reading.status.services),
    ...toFamilies(backendSection, reading.backends),
    ...toFamilies(pathSection, reading.paths),
    ...toFamilies(
      workerSection,
      reading.paths.flatMap(({ mode, workers }) => workers.map((worker) => ({ mode, ...worker }))),
    ),
    ...toFamilies(processSection, [reading.process]),
  ]);
}

function toFamilies<View>({ labels, metrics }: Section<View>, views: readonly View[]): Family[] {
  const labelled = views.map((view) => ({ view, labels: mapValues(labels, (read) => read(view)) }));
  return metrics.map((metric) => ({
    name: metric.name,
    type: metric.type,
    help: metric.help,
    samples: labelled.flatMap(({ view, labels }) => toSamples(metric, view, labels)),
  }));
}

function toSamples<View>(metric: Metric<View>, view: View, labels: Labels): Sample[] {
  if ('by' in metric) {
    const { by } = metric;
    return Object.entries(metric.values(view)).map(([key, value]) => ({
      labels: { ...labels, [by]: key },
      value,
    }));
  }
  const value = metric.value(view);
  return value === undefined || value === null ? [] : [{ labels, value }];
}

function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  map: (value: From) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
