import iothub from 'azure-iothub';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, type Lab, startLab } from './lab.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await startLab({ devices: ['camera', 'job-1', 'job-2'] });
});

afterAll(() => lab.stop());

describe('file uploads', () => {
  it.each([
    ['AMQP', false],
    ['AMQP over WebSockets', true],
  ])('a device opens and reports one, and the service hears of it over %s', async (_name, webSocket) => {
    const service = lab.service(webSocket);
    await service.open();
    const { result: receiver } = await service.getFileNotificationReceiver();
    const heard: { data: string }[] = [];
    (receiver as never as NodeJS.EventEmitter).on('message', (message: { data: string }) => heard.push(message));
    const camera = await lab.open('mqtt', 'camera');
    const upload = await camera.getBlobSharedAccessSignature(`photo-${webSocket}.png`);
    expect(upload).toMatchObject({
      correlationId: expect.any(String),
      hostName: expect.any(String),
      containerName: expect.any(String),
      blobName: `camera/photo-${webSocket}.png`,
      sasToken: expect.stringMatching(/^\?/),
    });
    await camera.notifyBlobUploadStatus(upload.correlationId, true, 200, 'uploaded');
    await eventually(() => heard).toHaveLength(1);
    expect(JSON.parse(String(heard[0]?.data))).toMatchObject({
      deviceId: 'camera',
      blobName: `camera/photo-${webSocket}.png`,
    });
    await expect(camera.notifyBlobUploadStatus(upload.correlationId, true, 200, 'again')).rejects.toBeInstanceOf(Error);
    expect(lab.emulator.state.uploads.open('camera')).toBe(0);
    await camera.close();
    await service.close();
  });
});

describe('azure-iothub Registry, in bulk', () => {
  it('adds, updates and removes devices, and says which it could not', async () => {
    const { registry } = lab;
    const made = await registry.addDevices([{ deviceId: 'bulk-1' }, { deviceId: 'bulk-2' }] as never);
    expect(made.responseBody).toMatchObject({ isSuccessful: true, errors: [] });
    // One of the two is there already: the answer is a 400 that says so, and the other is made.
    const again = registry.addDevices([{ deviceId: 'bulk-2' }, { deviceId: 'bulk-3' }] as never);
    await expect(again).rejects.toMatchObject({
      name: 'ArgumentError',
      responseBody: expect.stringContaining('"errorCode":409001'),
    });
    expect((await registry.get('bulk-3')).responseBody.deviceId).toBe('bulk-3');
    const updated = await registry.updateDevices([{ deviceId: 'bulk-1', status: 'disabled' }] as never, true);
    expect(updated.responseBody).toMatchObject({ isSuccessful: true });
    expect(lab.emulator.state.identities.get({ deviceId: 'bulk-1' }).status).toBe('disabled');
    const removed = await registry.removeDevices([{ deviceId: 'bulk-1' }, { deviceId: 'bulk-2' }] as never, true);
    expect(removed.responseBody).toMatchObject({ isSuccessful: true });
    const { responseBody: statistics } = await registry.getRegistryStatistics();
    expect(statistics).toMatchObject({ totalDeviceCount: lab.emulator.devices.length });
  });
});

describe('azure-iothub JobClient', () => {
  it('changes the twins of many devices', async () => {
    const jobs = iothub.JobClient.fromConnectionString(lab.emulator.serviceConnectionString);
    const patch = { etag: '*', tags: { floor: 3 } };
    await jobs.scheduleTwinUpdate('job-a', "deviceId IN ['job-1', 'job-2']", patch, new Date(), 60);
    await eventually(async () => (await jobs.getJob('job-a')).jobStatus.status).toBe('completed');
    expect(lab.emulator.state.twins.get({ deviceId: 'job-2' }).tags).toEqual({ floor: 3 });
  });
});
