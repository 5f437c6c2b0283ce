# Writes degrees-of-freedom.json: what R's lmerTest (Satterthwaite) and pbkrtest (Kenward-Roger) say of small data that
# this program draws. Rscript make-degrees-of-freedom.R
# (Debian: apt-get install r-base-core r-cran-lmertest r-cran-pbkrtest r-cran-jsonlite)
suppressPackageStartupMessages({ library(lmerTest); library(pbkrtest); library(jsonlite) })
options(warn = 1)
software <- paste0("R ", R.version$major, ".", R.version$minor, ", lmerTest ", packageVersion("lmerTest"),
  ", pbkrtest ", packageVersion("pbkrtest"), ", lme4 ", packageVersion("lme4"))
keep <- function(x) signif(x, 12)

set.seed(17)
d <- expand.grid(plw = c(0, 0.01, 0.1, 0.3, 1), seed = paste0("s", 1:3), task = paste0("t", 1:6), stringsAsFactors = FALSE)
d$wp <- keep(d$plw^0.30103)
d$cell <- paste(d$plw, d$seed)
d$block <- paste(d$task, d$seed)
at <- function(x, by) x[as.integer(factor(by))]
d$score <- keep(0.8 * d$wp - 0.6 * d$wp^2 + at(rnorm(6, 0, 0.8), d$task) * d$wp + at(rnorm(6, 0, 0.5), d$task) +
  at(rnorm(15, 0, 0.3), d$cell) + at(rnorm(18, 0, 0.4), d$block) + rnorm(nrow(d), 0, 0.3))
d$rate <- ifelse(d$seed == "s1", "low", "high")
# Unbalanced: some scores are missing.
d$part <- ifelse(seq_len(nrow(d)) %in% c(3, 8, 17, 18, 40, 41, 42, 77), NA, d$score)

specs <- list(
  list("score ~ wp + (1 | task)", "wp"),
  list("score ~ wp + I(wp^2) + (1 | block) + (1 | cell)", c("wp", "I(wp^2)"), "score ~ wp + wp^2 + (1|block) + (1|cell)"),
  list("score ~ wp + (0 + wp | task) + (1 | block) + (1 | cell)", "wp", "score ~ wp + (0 + wp|task) + (1|block) + (1|cell)"),
  list("score ~ wp + (1 + wp | task)", "wp"),
  list("part ~ wp + I(wp^2) + (1 | task) + (1 | cell)", c("wp", "I(wp^2)"), "part ~ wp + wp^2 + (1|task) + (1|cell)"),
  list("part ~ wp * rate + (1 | task) + (1 | cell)", c("wp", "wp:ratelow"), NULL)
)
fits <- lapply(specs, function(s) {
  m <- lmer(as.formula(s[[1]]), d, REML = TRUE, control = lmerControl(optimizer = "bobyqa",
    optCtrl = list(rhoend = 1e-10, maxfun = 1e5)))
  co <- summary(m, ddf = "Satterthwaite")$coefficients
  L <- t(sapply(s[[2]], function(n) as.numeric(rownames(co) == n)))
  f <- contest(m, L, joint = TRUE, ddf = "Satterthwaite")
  k <- KRmodcomp(m, L)$test
  kt <- lapply(rownames(co), function(n) KRmodcomp(m, matrix(as.numeric(rownames(co) == n), 1))$test)
  list(formula = if (length(s) > 2 && !is.null(s[[3]])) s[[3]] else s[[1]], terms = I(s[[2]]), names = rownames(co),
    estimates = keep(unname(co[, 1])), standardErrors = keep(unname(co[, 2])), df = keep(unname(co[, 3])),
    p = keep(unname(co[, 5])), singular = isSingular(m), logLik = keep(as.numeric(logLik(m))),
    satterthwaite = list(f = keep(f$`F value`), df = keep(f$DenDF), p = keep(f$`Pr(>F)`)),
    kenwardRoger = list(f = keep(k["Ftest", "stat"]), df = keep(k["Ftest", "ddf"]), p = keep(k["Ftest", "p.value"]),
      coefficientDf = keep(sapply(kt, function(x) x["Ftest", "ddf"])),
      coefficientStandardErrors = keep(sqrt(diag(as.matrix(vcovAdj(m)))))))
})
write_json(list(software = software, data = d, fits = fits), "degrees-of-freedom.json", digits = NA, auto_unbox = TRUE, pretty = FALSE)
