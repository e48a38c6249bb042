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
          '16 processes, a cloud that takes 100 operations a second and answers 429 above that. Bottom left is best. Policies that complete everything; simulated.',
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
      min: 0.9,
      max: 200,
      name: index === 0 ? 'time until all is done (1 = as soon as possible)' : '',
      nameLocation: 'middle',
      nameGap: 34,
      nameTextStyle: { color: INK, fontSize: 12 },
      axisLabel: { color: INK, formatter: ticks },
      splitLine: { lineStyle: { color: '#e6e8eb' } },
    })),
    series: panels.map(({ key, index }) => series(chart[key], index)),
  });
  return view.renderToSVGString();
}

const ticks = (value) => (value < 1 ? '' : `${value}×`);

function series(points, index) {
  return {
    type: 'scatter',
    xAxisIndex: index,
    yAxisIndex: index,
    labelLayout: { moveOverlap: 'shiftY', hideOverlap: false },
    labelLine: { show: true, lineStyle: { color: '#b9bec5' } },
    data: points.map(({ name, drain, requests, own }) => ({
      value: [requests, drain],
      symbol: own ? 'diamond' : 'circle',
      symbolSize: own ? 20 : 10,
      itemStyle: { color: own ? OURS : PEER },
      label: {
        show: true,
        position: requests > 60 ? 'left' : 'right',
        distance: 8,
        color: own ? OURS : INK,
        fontSize: own ? 14 : 11.5,
        fontWeight: own ? 'bold' : 'normal',
        formatter: `${name}  ${requests.toPrecision(3)} · ${drain.toPrecision(3)}`,
      },
    })),
  };
}
