/** How metrics are described: names, types, helps, and where each value is read. */
import type { MetricType } from './exposition.ts';

export interface Description {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
}

/** One series for each view (none where the value is unknown), or one for each value of the label `by`. */
export type Metric<View> = Description &
  (
    | { readonly value: (view: View) => number | null | undefined }
    | { readonly by: string; readonly values: (view: View) => Readonly<Record<string, number>> }
  );

/** The metrics of one kind of thing, and the labels that tell one such thing from another. */
export interface Section<View> {
  readonly labels: Readonly<Record<string, (view: View) => string>>;
  readonly metrics: readonly Metric<View>[];
}

export interface CatalogueEntry extends Description {
  readonly labels: readonly string[];
}

/** The metrics of a section without their values. */
export function describeSection<View>({ labels, metrics }: Section<View>): CatalogueEntry[] {
  return metrics.map((metric) => {
    const { name, type, help } = metric;
    return { name, type, help, labels: [...Object.keys(labels), ...('by' in metric ? [metric.by] : [])] };
  });
}
