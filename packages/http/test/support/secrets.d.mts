export declare const SECRETS: Readonly<
  Record<'signature' | 'header' | 'apiKey' | 'body' | 'password' | 'params' | 'proxy', string>
>;
export declare function secretConfig(url: string): object;
export declare function secretsIn(text: string): string[];
