/**
 * A certificate for this machine's loopback, made anew at every start: nobody else has its key, nothing else trusts it.
 * Self-signed X.509 v3 (RFC 5280), ECDSA P-256 with SHA-256 (RFC 5758), in DER (X.690).
 */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

export interface Certificate {
  /** PEM; also what a client has to trust */
  cert: string;
  /** PEM (PKCS #8) */
  key: string;
}

const sequence = 0x30;
const set = 0x31;
const integer = 0x02;
const bitString = 0x03;
const octetString = 0x04;
const oid = 0x06;
const utf8String = 0x0c;
const utcTime = 0x17;
const boolean = 0x01;
/** context-specific tags: version and extensions of a certificate, dNSName and iPAddress of a subject's other names */
const versionTag = 0xa0;
const extensionsTag = 0xa3;
const dnsName = 0x82;
const ipAddress = 0x87;

const ecdsaWithSha256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const commonName = [0x55, 0x04, 0x03];
const subjectAltName = [0x55, 0x1d, 0x11];
const basicConstraints = [0x55, 0x1d, 0x13];
const lifetimeMs = 30 * 86_400_000;

type Bytes = Buffer | number[];

function der(tag: number, ...contents: Bytes[]): Buffer {
  const body = Buffer.concat(contents.map((part) => Buffer.from(part)));
  const { length } = body;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}

const nameOf = (text: string): Buffer =>
  der(sequence, der(set, der(sequence, der(oid, commonName), der(utf8String, Buffer.from(text)))));

/** UTCTime has two digits for the year: good until 2049. */
const time = (at: Date): Buffer =>
  der(utcTime, Buffer.from(`${at.toISOString().slice(2, 19).replaceAll(/[-T:]/g, '')}Z`));

const extension = (id: number[], value: Buffer, critical = false): Buffer =>
  der(sequence, der(oid, id), ...(critical ? [der(boolean, [0xff])] : []), der(octetString, value));

const pem = (label: string, bytes: Buffer): string =>
  `-----BEGIN ${label}-----\n${bytes.toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd()}\n-----END ${label}-----\n`;

/** Makes a certificate for `localhost` and 127.0.0.1, good for 30 days. */
export function loopbackCertificate(): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const now = Date.now();
  const algorithm = der(sequence, der(oid, ecdsaWithSha256));
  const name = nameOf('Darkroom local services');
  // the first bit is 0: a serial number is positive
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  const names = der(sequence, der(dnsName, Buffer.from('localhost')), der(ipAddress, [127, 0, 0, 1]));
  const extensions = [
    extension(basicConstraints, der(sequence, der(boolean, [0xff])), true),
    extension(subjectAltName, names),
  ];
  const body = der(
    sequence,
    der(versionTag, der(integer, [2])),
    der(integer, serial),
    algorithm,
    name,
    der(sequence, time(new Date(now - 3_600_000)), time(new Date(now + lifetimeMs))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(extensionsTag, der(sequence, ...extensions)),
  );
  const signature = sign('sha256', body, privateKey);
  const certificate = der(sequence, body, algorithm, der(bitString, [0], signature));
  return {
    cert: pem('CERTIFICATE', certificate),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
