// Package finding answers what people ask of verdicts: what is wrong with an
// image, filtered, sorted and paged, and how much of it there is.
//
// Words:
//
//   - finding: a vulnerability, a malicious file or a risk of one image.
//     Findings are not stored. They are derived from the stored facts of the
//     image's layers, so the database grows with unique layers.
//   - judgement: the inventory of one content and its verdict under one
//     advisory snapshot. Judgements are kept in a bounded cache, keyed by
//     manifest digest, snapshot and inspector revision: none of the three ever
//     changes its meaning, so an entry never goes stale.
//   - assessment: the counts of a judgement, as a scan writes them to an image.
//   - problem: what an assessment could not look at, with cause and advice. An
//     assessment with problems is incomplete; it does not read as clean.
//
// Lists show the content that was assessed last (store.Image.AssessedDigest)
// and only the parts that have succeeded for it: while a new content is being
// scanned, or after a scan that failed, the former findings stay.
//
// They come from the advisory snapshot that the image was assessed by, as the
// counts of its row do: an import changes neither before the next scan. Once
// that snapshot is no longer kept (advisory.Options.Keep), lists show the one in
// force.
//
// A vulnerability whose level nobody states counts and shows as low [choice],
// so that the four level counts add up to the number of vulnerabilities.
package finding
