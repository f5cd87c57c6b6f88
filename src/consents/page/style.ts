/** The one style of the hosted pages: a phone first, quiet, large targets. */
export const STYLE = `
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:#eef1ef;color:#17242a;font:16px/1.55 system-ui,-apple-system,"PingFang SC","Noto Sans CJK SC","Noto Sans SC","Microsoft YaHei",sans-serif}
main{max-width:30rem;margin:0 auto;padding:0 1rem 2.5rem}
a{color:#0d5c4c}
:focus-visible{outline:3px solid #d9a441;outline-offset:2px}
.top{display:flex;align-items:center;gap:.625rem;padding:1rem .25rem .875rem}
.top svg{width:1.75rem;height:1.75rem;flex:none;color:#0d5c4c}
.name{font-weight:600;letter-spacing:.04em}
.tag{color:#586a70;font-size:.875rem}
.lang{margin-left:auto;min-height:2.75rem;display:inline-flex;align-items:center;padding:0 .25rem;text-decoration:none;font-size:.9375rem}
.card{background:#fff;border:1px solid #dfe5e2;border-radius:14px;padding:1.5rem 1.25rem 1.25rem;box-shadow:0 1px 2px rgba(23,36,42,.04)}
h1,h2{margin:0;font-size:1.25rem;font-weight:600;line-height:1.35;text-align:center}
.card+.card{margin-top:1rem}
h2{font-size:1.125rem}
details{margin-top:1rem}
summary{min-height:2.75rem;line-height:2.75rem;cursor:pointer;color:#0d5c4c}
details dl{margin-top:0}
.sum{margin:1rem 0 0;text-align:center;font-size:2.375rem;line-height:1.15;font-weight:600;font-variant-numeric:tabular-nums;letter-spacing:-.01em;overflow-wrap:anywhere}
.sum small{font-size:1.375rem;font-weight:500;margin-right:.125rem}
.words{margin:.375rem 0 0;text-align:center;color:#586a70;font-size:.875rem}
dl{margin:1.25rem 0 0;border-top:1px solid #e7ecea}
dl div{display:flex;gap:1.25rem;justify-content:space-between;padding:.6875rem 0;border-bottom:1px solid #e7ecea}
dt{color:#586a70;flex:none;max-width:45%}
dd{margin:0;text-align:right;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
.note{margin:0 0 1rem;padding:.8125rem 1rem;border-radius:10px;border:1px solid #e5c9a0;background:#fdf7ec}
.note.bad{border-color:#e3b3b0;background:#fdf1f0;color:#7d1d18}
.note:focus{outline:none}
.note p{margin:0}
.note a{color:inherit}
form{margin:0}
.field{margin-top:1.25rem}
label{display:block;font-weight:600}
.hint{margin:.125rem 0 0;color:#586a70;font-size:.875rem}
.row{display:flex;gap:.625rem;margin-top:.5rem}
input{flex:1;min-width:0;width:100%;height:3.25rem;padding:0 .875rem;border:1px solid #9fb0aa;border-radius:10px;background:#fff;color:inherit;font:inherit;font-size:1.25rem;letter-spacing:.18em;font-variant-numeric:tabular-nums}
input[aria-invalid]{border-color:#a4302a}
button{min-height:3.25rem;padding:0 1.125rem;border-radius:10px;border:1px solid #0d5c4c;background:#fff;color:#0d5c4c;font:inherit;font-weight:600;cursor:pointer}
.row button{flex:none;font-weight:500}
.wide{width:100%;margin-top:1.5rem;font-size:1.0625rem}
.main{background:#0d5c4c;color:#fff}
.no{margin-top:.75rem;border-color:#b9c4c0;color:#3c4b50;font-weight:500}
.foot{margin:1.25rem .25rem 0;color:#586a70;font-size:.8125rem;line-height:1.6}
.mark{display:block;width:3.5rem;height:3.5rem;margin:.25rem auto 1rem}
.yes{color:#0d5c4c}.over{color:#8a6d2f}.bad-mark{color:#a4302a}
.after{margin:.5rem 0 0;text-align:center;color:#3c4b50}
@media (min-width:40rem){main{padding-top:2rem}.card{padding:2rem}}
`;
