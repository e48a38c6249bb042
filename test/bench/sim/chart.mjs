// Drain against amplification: where a policy stands at a glance.
import * as echarts from 'echarts';

const OURS = '#0b7a4b';
const PEER = '#7a7f87';
const INK = '#22262b';

const titles = {
  burst: 'A burst of 10,000 operations',
  outage: 'The same, and the cloud is down for the first minute',
};

/**
 * @param chart.burst, chart.outage - `{ name, drain, requests, own? }` of policies that complete everything
 * @returns SVG text
 */
export function drawChart(chart) {
  const width = 1_100;
  const height = 560;
  const view = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height });
  const panels = Object.entries(titles).map(([key, title], index) => ({ key, title, index }));
  view.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: 'Helvetica, Arial, sans-serif', color: INK },
    title: [
      {
        text: 'What retries cost an overloaded cloud, and how soon they are done',
        subtext:
          '16 processes, a cloud that takes 100 operations a second and answers 429 above that. Bottom left is best. In brackets: requests | time. Simulated.',
        left: 24,
        top: 14,
        textStyle: { fontSize: 19, color: INK },
        subtextStyle: { fontSize: 13, color: '#555b63' },
      },
      ...panels.map(({ title, index }) => ({
        text: title,
        left: index === 0 ? '6%' : '54%',
        top: 78,
        textStyle: { fontSize: 14, color: INK },
      })),
    ],
    grid: panels.map(({ index }) => ({ left: index === 0 ? '6%' : '54%', width: '41%', top: 112, bottom: 64 })),
    xAxis: panels.map(({ index }) => ({
      type: 'log',
      gridIndex: index,
      min: 0.9,
      max: 400,
      name: 'requests sent for one success  →  load on the cloud',
      nameLocation: 'middle',
      nameGap: 32,
      nameTextStyle: { color: INK, fontSize: 12 },
      axisLabel: { color: INK, formatter: ticks },
      splitLine: { lineStyle: { color: '#e6e8eb' } },
    })),
    yAxis: panels.map(({ index }) => ({
      type: 'log',
      gridIndex: index,
      min: 0.75,
      max: 30,
      name: index === 0 ? 'time until all is done (1 = as soon as possible)' : '',
      nameLocation: 'middle',
      nameGap: 34,
      nameTextStyle: { color: INK, fontSize: 12 },
      axisLabel: { color: INK, formatter: ticks },
      splitLine: { lineStyle: { color: '#e6e8eb' } },
    })),
    series: panels.map(({ key, index }) => series(chart[key], index)),
  });
  const svg = view.renderToSVGString();
  // Its timer would keep the process alive.
  view.dispose();
  return svg;
}

const ticks = (value) => ([1, 10, 100].includes(value) ? `${value}×` : '');

function series(points, index) {
  return {
    type: 'scatter',
    xAxisIndex: index,
    yAxisIndex: index,
    data: placed(merged(points)).map(({ name, drain, requests, own, position }) => ({
      value: [requests, drain],
      symbol: own ? 'diamond' : 'circle',
      symbolSize: own ? 22 : 10,
      itemStyle: { color: own ? OURS : PEER, opacity: 1 },
      label: {
        show: true,
        position,
        distance: own ? 10 : 7,
        color: own ? OURS : INK,
        fontSize: own ? 13.5 : 11.5,
        fontWeight: own ? 'bold' : 'normal',
        formatter: `${name} (${requests.toFixed(requests < 10 ? 2 : 0)} | ${drain.toFixed(2)})`,
      },
    })),
  };
}

/** Policies at the same place share a label. */
function merged(points) {
  const all = [];
  for (const point of points) {
    const there = all.find(
      (p) => Math.abs(p.drain - point.drain) < 0.01 && Math.abs(p.requests - point.requests) < 0.05,
    );
    if (!there) all.push({ ...point });
    else if (!there.name.includes(point.name.replace(/ \(as it comes\)/, ''))) there.name += `, ${point.name}`;
  }
  return all;
}

/** Beside the point, to the left of those far right; whoever is next to ours below it. */
function placed(points) {
  const own = points.find((point) => point.own);
  return points.map((point) => {
    if (point.own) return { ...point, position: [2, -20] };
    const isNext = point.requests < own.requests * 1.6 && point.drain < own.drain * 1.3;
    if (isNext) return { ...point, position: [4, 14] };
    return { ...point, position: point.requests > 40 && point.drain < 2 ? [-70, 13] : 'right' };
  });
}
