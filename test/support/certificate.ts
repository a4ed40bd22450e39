// SPDX-License-Identifier: MIT
/** A self-signed certificate for `localhost`. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Gives the paths of two new files in `directory`, both PEM. */
export function makeCertificate(directory: string): { certificate: string; key: string } {
  const [certificate, key] = [join(directory, 'certificate.pem'), join(directory, 'key.pem')];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const whose = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  execFileSync('openssl', ['req', ...kind, ...whose, '-keyout', key, '-out', certificate], { stdio: 'pipe' });
  return { certificate, key };
}
