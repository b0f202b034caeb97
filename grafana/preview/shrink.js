// Writes pictures again with 48 colours: `node shrink.js FILE...`
const fs = require('fs');
const sharp = require('sharp');

(async () => {
  for (const file of process.argv.slice(2)) {
    fs.writeFileSync(file, await sharp(fs.readFileSync(file)).png({ palette: true, colours: 48, dither: 0, effort: 10 }).toBuffer());
  }
})();
