// Draws one dashboard, given as window.PREVIEW = {dashboard, answers, scheme}, with Grafana's own components.
//
// Grafana's: frames, transformations, units, thresholds, mappings, colours, panel frames, tiles, bars, charts, legends,
// tables. By hand, since these live in Grafana itself and not in its packages: which panel is where, overrides, stacking
// and the state timeline.
import React from 'react';
import { createRoot } from 'react-dom/client';
import {
  applyFieldOverrides, createDataFrame, createTheme, dateTimeFormat, FieldType, getDisplayValueAlignmentFactors, getFieldDisplayValues,
  reduceField, standardEditorsRegistry, standardFieldConfigEditorRegistry, standardTransformers,
  standardTransformersRegistry, transformDataFrame,
} from '@grafana/data';
import {
  BarGauge, BarGaugeDisplayMode, BigValue, BigValueGraphMode, BigValueTextMode, GlobalStyles,
  PanelChrome, Table, ThemeContext, UPlotChart, UPlotConfigBuilder, VizLegend, VizLayout,
} from '@grafana/ui';

const { dashboard, answers, scheme } = window.PREVIEW;
const theme = createTheme({ colors: { mode: scheme } });
const WIDTH = 1280, EDGE = 16, GAP = 8, CELL = 30;

standardFieldConfigEditorRegistry.setInit(() => []);
standardEditorsRegistry.setInit(() => []);
standardTransformersRegistry.setInit(() => [standardTransformers.mergeTransformer, standardTransformers.organizeFieldsTransformer]
  .map((each) => ({ id: each.id, name: each.name, editor: () => null, transformation: each })));

const legend = (format, labels) =>
  format.replace(/{{\s*(\w+)\s*}}/g, (_, label) => labels[label] ?? '') || (format ? '' : Object.values(labels).join(' '));

function tableFrame(answer, name) {
  const labels = [...new Set(answer.result.flatMap((one) => Object.keys(one.metric)))];
  return createDataFrame({ refId: answer.ref, fields: [
    { name: 'Time', type: FieldType.time, config: {}, values: answer.result.map((one) => one.value[0] * 1000) },
    ...labels.map((label) => ({
      name: label, type: FieldType.string, config: {}, values: answer.result.map((one) => one.metric[label] ?? ''),
    })),
    { name, type: FieldType.number, config: {}, values: answer.result.map((one) => Number(one.value[1])) },
  ] });
}

function seriesFrame(one, answer) {
  const name = legend(answer.legend, one.metric);
  const points = one.values ?? [one.value];
  return createDataFrame({ refId: answer.ref, name, fields: [
    { name: 'Time', type: FieldType.time, config: {}, values: points.map(([time]) => time * 1000) },
    { name: 'Value', type: FieldType.number, config: { displayNameFromDS: name }, labels: one.metric,
      values: points.map(([, value]) => Number(value)) },
  ] });
}

function place(config, path, value) {
  const [first, ...rest] = path.split('.');
  if (first === 'thresholds') {
    value = lowest(value);
  }
  return { ...config, [first]: rest.length ? place(config[first] ?? {}, rest.join('.'), value) : value };
}

const lowest = (thresholds) => ({
  ...thresholds, steps: thresholds.steps.map((step) => ({ ...step, value: step.value ?? -Infinity })),
});

function configured(panel, frames) {
  const { links, ...defaults } = panel.fieldConfig.defaults;
  if (defaults.thresholds) {
    defaults.thresholds = lowest(defaults.thresholds);
  }
  for (const field of frames.flatMap((frame) => frame.fields)) {
    const name = field.config.displayName ?? field.config.displayNameFromDS ?? field.name;
    if (field.type === FieldType.number) {
      field.config = { ...structuredClone({ ...defaults, thresholds: undefined }), thresholds: defaults.thresholds, ...field.config };
    }
    for (const { matcher, properties } of panel.fieldConfig.overrides) {
      if (matcher.options === name) {
        field.config = properties.reduce((config, { id, value }) => place(config, id, value), field.config);
      }
    }
  }
  return applyFieldOverrides({
    data: frames, fieldConfig: { defaults: {}, overrides: [] }, replaceVariables: (text) => text, theme, timeZone: 'utc',
  });
}

function Tiles({ panel, data, width, height }) {
  const shown = getFieldDisplayValues({
    fieldConfig: panel.fieldConfig, reduceOptions: panel.options.reduceOptions, replaceVariables: (text) => text,
    theme, data, timeZone: 'utc',
  });
  const across = Math.floor(width / Math.max(shown.length, 1));
  return <div style={{ display: 'flex' }}>{shown.map(({ display }, index) =>
    <BigValue key={index} theme={theme} width={across} height={height} colorMode={panel.options.colorMode}
      graphMode={BigValueGraphMode.None} textMode={panel.options.textMode === 'name' ? BigValueTextMode.Name : BigValueTextMode.Auto}
      value={shown.length > 1 || panel.options.textMode === 'name' ? display : { ...display, title: undefined }} />)}</div>;
}

function Bars({ panel, data, width, height }) {
  const shown = getFieldDisplayValues({
    fieldConfig: panel.fieldConfig, reduceOptions: panel.options.reduceOptions, replaceVariables: (text) => text,
    theme, data, timeZone: 'utc',
  });
  const known = data.flatMap((frame) => frame.fields).filter((field) => field.type === FieldType.number);
  const most = Math.max(...known.flatMap((field) => field.values));
  const high = Math.min(Math.floor((height - 4 * shown.length) / Math.max(shown.length, 1)), 40);
  return <div>{shown.map(({ display, field, view, colIndex }, index) =>
    <div key={index} style={{ marginBottom: 4 }}>
      <BarGauge theme={theme} width={width} height={high} value={display} displayMode={BarGaugeDisplayMode.Basic}
        field={{ ...field, min: field.min ?? 0, max: field.max ?? most }} orientation="horizontal" showUnfilled
        display={view?.getFieldDisplayProcessor(colIndex)} itemSpacing={4}
        alignmentFactors={getDisplayValueAlignmentFactors(shown)} />
    </div>)}</div>;
}

function Lines({ panel, data, width, height }) {
  const custom = panel.fieldConfig.defaults.custom ?? {};
  const stacked = custom.stacking?.mode === 'normal';
  const fields = data.map((frame) => frame.fields[1]);
  const times = [...new Set(data.flatMap((frame) => frame.fields[0].values))].sort((one, other) => one - other);
  const columns = data.map((frame) => {
    const at = new Map(frame.fields[0].values.map((time, index) => [time, frame.fields[1].values[index]]));
    return times.map((time) => at.get(time) ?? null);
  });
  if (stacked) {
    for (let above = 1; above < columns.length; above++) {
      columns[above] = columns[above].map((value, index) => (value ?? 0) + (columns[above - 1][index] ?? 0));
    }
  }
  const { min, max, thresholds } = fields[0].config;
  const top = max ?? (Math.max(0, ...columns.flat().filter(Number.isFinite)) || 1) * 1.1;
  const chart = new UPlotConfigBuilder('utc');
  chart.addScale({ scaleKey: 'x', isTime: true, orientation: 0, direction: 1, range: () => [times[0], times.at(-1)] });
  chart.addAxis({ scaleKey: 'x', isTime: true, placement: 'bottom', timeZone: 'utc', theme });
  chart.addScale({ scaleKey: 'y', orientation: 1, direction: 1, range: () => [min ?? Math.min(0, ...columns.flat().filter(Number.isFinite)), top] });
  chart.addAxis({ scaleKey: 'y', placement: 'left', theme, formatValue: (value) => {
    const { text, prefix, suffix } = fields[0].display(value);
    return `${prefix ?? ''}${text}${suffix ?? ''}`;
  } });
  if (custom.thresholdsStyle?.mode === 'dashed') {
    chart.addThresholds({ scaleKey: 'y', thresholds, theme, hardMin: undefined, hardMax: undefined, config: { mode: 'dashed' } });
  }
  const colour = (field, index) => field.config.color?.mode === 'fixed'
    ? theme.visualization.getColorByName(field.config.color.fixedColor)
    : theme.visualization.getColorByName(theme.visualization.palette[index % theme.visualization.palette.length]);
  const order = fields.map((_, index) => index);  // the highest of a stack first, each hides what is below the next
  for (const index of stacked ? order.reverse() : order) {
    chart.addSeries({
      scaleKey: 'y', theme, lineColor: colour(fields[index], index), lineWidth: 1, drawStyle: custom.drawStyle ?? 'line',
      fillOpacity: stacked ? 90 : 0, showPoints: 'never', barWidthFactor: 0.6, pxAlign: true,
    });
  }
  const items = fields.map((field, index) => ({
    label: field.config.displayNameFromDS || panel.title, color: colour(field, index), yAxis: 1,
    getDisplayValues: () => ['lastNotNull', 'max'].map((id) => ({
      ...field.display(reduceField({ field, reducers: [id] })[id]), title: { lastNotNull: 'Last *', max: 'Max' }[id],
    })),
  }));
  const { placement, displayMode } = panel.options.legend;
  const side = <VizLayout.Legend placement={placement} width={placement === 'right' ? Math.min(width * 0.4, 230) : undefined}>
    <VizLegend items={displayMode === 'table' ? items : items.map(({ getDisplayValues, ...item }) => item)}
      placement={placement} displayMode={displayMode} /></VizLayout.Legend>;
  return <VizLayout width={width} height={height} legend={side}>{(wide, high) =>
    <UPlotChart config={chart} data={[times, ...order.map((index) => columns[index])]} width={wide} height={high} />}</VizLayout>;
}

function States({ data, width, height }) {
  const high = Math.max(10, Math.min(26, Math.floor((height - 24) / Math.max(data.length, 1))));
  const all = data.flatMap((frame) => frame.fields[0].values);
  const [begin, end] = [Math.min(...all), Math.max(...all)];
  const seen = new Map(data.flatMap(({ fields: [, field] }) => field.values.map((value) => {
    const { text, color } = field.display(value);
    return [text, color];
  })));
  return <div style={{ fontSize: 11, height, overflow: 'hidden' }}>{data.map(({ fields: [times, field] }, line) =>
    <div key={line} style={{ display: 'flex', alignItems: 'center', height: high }}>
      <div style={{ width: 160, overflow: 'hidden', textAlign: 'right', paddingRight: 6, whiteSpace: 'nowrap' }}>
        {field.config.displayNameFromDS}</div>
      <div style={{ position: 'relative', flex: 1, height: high - 4 }}>{field.values.map((value, index) => {
        const left = (times.values[index] - begin) / (end - begin || 1);
        const right = ((times.values[index + 1] ?? end) - begin) / (end - begin || 1);
        return <div key={index} style={{ position: 'absolute', top: 0, bottom: 0, left: `${100 * left}%`,
          width: `calc(${100 * Math.min(right - left, 0.02)}% + 1px)`, background: field.display(value).color }} />;
      })}</div>
    </div>)}
    <div style={{ paddingLeft: 160 }}>{dateTimeFormat(begin, { timeZone: 'utc' })} to {dateTimeFormat(end, { timeZone: 'utc' })}
      {[...seen].map(([text, color]) => <span key={text} style={{ marginLeft: 12 }}>
        <span style={{ display: 'inline-block', width: 12, height: 4, background: color, margin: '0 4px 2px 0' }} />{text}</span>)}
    </div>
  </div>;
}

function sorted(panel, frame) {
  const [wanted] = panel.options.sortBy ?? [];
  return wanted ? [{ displayName: wanted.displayName, desc: wanted.desc }] : undefined;
}

const KINDS = { stat: Tiles, bargauge: Bars, timeseries: Lines, 'state-timeline': States };

function Inside({ panel, width, height }) {
  const [data, ready] = React.useState(null);
  React.useEffect(() => {
    const asked = answers[panel.id];
    if (panel.type !== 'table') {
      ready(configured(panel, asked.flatMap((answer) => answer.result.map((one) => seriesFrame(one, answer)))));
      return;
    }
    const found = asked.map((answer) => tableFrame(answer, asked.length > 1 ? `Value #${answer.ref}` : 'Value'))
      .filter((frame) => frame.length);
    transformDataFrame(panel.transformations, found).subscribe((frames) => ready(configured(panel, frames)));
  }, []);
  if (data === null) {
    return null;
  }
  if (!data.length) {
    return <div data-empty={panel.title} style={{ height, display: 'grid', placeItems: 'center' }}>{panel.fieldConfig.defaults.noValue}</div>;
  }
  if (panel.type === 'table') {
    return <Table data={data[0]} width={width} height={height} columnMinWidth={70} initialSortBy={sorted(panel, data[0])} />;
  }
  const Kind = KINDS[panel.type];
  return <Kind panel={panel} data={data} width={width} height={height} />;
}

function Page() {
  const cell = (WIDTH - 2 * EDGE + GAP) / 24;
  const top = 56;
  const bottom = Math.max(...dashboard.panels.map(({ gridPos }) => gridPos.y + gridPos.h)) * (CELL + GAP) + top + EDGE;
  return <div id="page" data-height={bottom} style={{
    position: 'relative', width: WIDTH, height: bottom, background: theme.colors.background.canvas,
    color: theme.colors.text.primary, fontFamily: theme.typography.fontFamily, fontSize: theme.typography.fontSize,
  }}>
    <div style={{ padding: `14px ${EDGE}px`, display: 'flex', gap: 12, alignItems: 'center' }}>
      <b style={{ fontSize: 16 }}>{dashboard.title}</b>
      {dashboard.templating.list.filter((each) => each.type === 'query').map((each) =>
        <span key={each.name} style={{ border: `1px solid ${theme.colors.border.medium}`, borderRadius: 2, padding: '2px 8px' }}>
          {each.label}: All</span>)}
      <span style={{ marginLeft: 'auto', color: theme.colors.text.secondary }}>
        preview drawn with Grafana&apos;s UI components, not a screenshot of Grafana</span>
    </div>
    {dashboard.panels.map((panel) => {
      const { x, y, w, h } = panel.gridPos;
      const [width, height] = [w * cell - GAP, h * (CELL + GAP) - GAP];
      const at = { position: 'absolute', left: EDGE + x * cell, top: top + y * (CELL + GAP), width, height };
      return panel.type === 'row'
        ? <div key={panel.id} style={{ ...at, fontWeight: 500, paddingTop: 6 }}>⌄ {panel.title}</div>
        : <div key={panel.id} style={at}>
          <PanelChrome title={panel.title} description={panel.description} width={width} height={height}>
            {(wide, high) => <Inside panel={panel} width={wide} height={high} />}</PanelChrome>
        </div>;
    })}
  </div>;
}

createRoot(document.getElementById('root')).render(
  <ThemeContext.Provider value={theme}><GlobalStyles /><Page /></ThemeContext.Provider>,
);
