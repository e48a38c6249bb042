import { EXPECTED } from './expected.ts';
import { AMQP_SCENES } from './scenes-amqp.ts';
import { HTTP_SCENES } from './scenes-http.ts';
import { MQTT_SCENES } from './scenes-mqtt.ts';
import type { Scene, Stage } from './stage.ts';
import type { Row } from './table.ts';

const SCENES: readonly Scene[] = [...HTTP_SCENES, ...AMQP_SCENES, ...MQTT_SCENES];

/** Play every row, in the order of the table. */
export async function playAll(stage: Stage): Promise<Row[]> {
  const rows: Row[] = [];
  for (const scene of SCENES.toSorted((a, b) => a.key.localeCompare(b.key))) {
    const expected = EXPECTED[scene.key];
    const outcome = await scene.play(stage).catch((thrown) => ({ failed: String(thrown?.message ?? thrown) }));
    rows.push({ key: scene.key, expected, outcome });
  }
  return rows;
}
