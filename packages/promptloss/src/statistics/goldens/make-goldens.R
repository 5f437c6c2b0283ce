# Writes mixed-models.json and surface.json: what R says of small data that this program draws.
# Rscript make-goldens.R   (Debian: apt-get install r-base-core r-cran-glmmtmb r-cran-mgcv r-cran-jsonlite)
suppressPackageStartupMessages({ library(glmmTMB); library(mgcv); library(jsonlite) })
options(warn = 1)
software <- paste0(R.version$language, " ", R.version$major, ".", R.version$minor,
  ", glmmTMB ", packageVersion("glmmTMB"), ", mgcv ", packageVersion("mgcv"))
keep <- function(x) signif(x, 12)
write <- function(x, file) write_json(x, file, digits = NA, auto_unbox = TRUE, pretty = FALSE)

set.seed(41)
d <- expand.grid(plw = c(0, 0.01, 0.1, 0.5, 1), model = paste0("m", 1:3), benchmark = paste0("b", 1:8),
  stringsAsFactors = FALSE)
d$wp <- keep(d$plw^0.30103)
d$size <- c(m1 = 0.26, m2 = 15, m3 = 110)[d$model]
d$kind <- ifelse(as.integer(sub("b", "", d$benchmark)) <= 4, "choice", ifelse(d$benchmark == "b8", "long", "short"))
bi <- rnorm(8, 0, 0.5)[as.integer(sub("b", "", d$benchmark))]
bs <- rnorm(8, 0, 0.7)[as.integer(sub("b", "", d$benchmark))]
mi <- rnorm(3, 0, 0.4)[as.integer(sub("m", "", d$model))]
eta <- -0.6 + 3.1 * d$wp - 2.4 * d$wp^2 + bi + bs * d$wp + mi + 0.3 * (d$kind == "short") * d$wp
d$score <- keep(rbeta(nrow(d), plogis(eta) * 25, plogis(-eta) * 25))

# The same with holes, so that groups are unbalanced: coefficients then depend on the variance parameters.
d$part <- ifelse(as.integer(sub("b", "", d$benchmark)) > 5 & d$plw > 0.05 | d$model == "m2" & d$benchmark < "b4", NA, d$wp)

specs <- list(
  list("score ~ wp * kind + (1 | model) + (1 | benchmark)", "beta", FALSE),
  list("score ~ wp + I(wp^2) + diag(1 + wp | benchmark) + (1 | model)", "beta", FALSE,
    "score ~ wp + wp^2 + (1 + wp || benchmark) + (1 | model)"),
  list("score ~ wp + I(wp^2) + (1 | benchmark/model)", "beta", FALSE),
  list("score ~ (wp + I(wp^2)) * log(size)", "beta", FALSE),
  list("score ~ 0 + kind + kind:wp + (0 + wp | benchmark)", "beta", FALSE),
  list("score ~ scale(wp) + kind:model + (1 | benchmark)", "beta", FALSE),
  list("score ~ wp + I(wp^2) + (1 + wp | benchmark) + (1 | model)", "gaussian", FALSE),
  list("score ~ wp + I(wp^2) + (1 + wp | benchmark) + (1 | model)", "gaussian", TRUE),
  list("score ~ wp + (1 | benchmark)", "gaussian", TRUE),
  list("score ~ part + (1 + part | benchmark) + (1 | model)", "gaussian", TRUE),
  list("score ~ 0 + model + kind + wp:model", "beta", FALSE),
  list("score ~ factor(plw) + (1 | model:benchmark)", "gaussian", FALSE),
  list("score ~ log1p(size) + sqrt(wp) + kind:wp + (1 | benchmark)", "beta", FALSE)
)
fits <- lapply(specs, function(s) {
  family <- if (s[[2]] == "beta") beta_family() else gaussian()
  m <- glmmTMB(as.formula(s[[1]]), d, family = family, REML = s[[3]],
    control = glmmTMBControl(rank_check = "adjust"))
  co <- summary(m)$coefficients$cond
  list(formula = if (length(s) > 3) s[[4]] else s[[1]], family = s[[2]], reml = s[[3]],
    converged = m$fit$convergence == 0 && isTRUE(m$sdr$pdHess),
    names = rownames(co), estimates = keep(unname(co[, 1])), standardErrors = keep(unname(co[, 2])),
    p = keep(unname(co[, 4])), logLik = keep(as.numeric(logLik(m))), aic = keep(AIC(m)), bic = keep(BIC(m)),
    dispersion = keep(sigma(m)),
    random = lapply(VarCorr(m)$cond, function(v) list(sd = I(keep(unname(attr(v, "stddev")))),
      correlation = I(keep(unname(attr(v, "correlation")))))),
    fitted = keep(unname(fitted(m))[1:12]))
})
nested <- lapply(c("score ~ 1 + (1 | benchmark)", "score ~ wp + (1 | benchmark)",
  "score ~ wp + I(wp^2) + (1 | benchmark)", "score ~ wp + I(wp^2) + (1 + wp | benchmark)"),
  function(f) glmmTMB(as.formula(f), d, family = beta_family()))
a <- do.call(anova, nested)
comparison <- list(chisq = keep(a$Chisq[-1]), p = keep(a$`Pr(>Chisq)`[-1]))
write(list(software = software, data = d, fits = fits, comparison = comparison), "mixed-models.json")

set.seed(42)
g <- expand.grid(plw = c(0, 0.001, 0.01, 0.05, 0.2, 0.5, 1), rg = c(0.1, 0.3, 1, 2.5, 6), model = paste0("m", 1:4),
  stringsAsFactors = FALSE)
g$w <- keep(g$plw^0.30103)
g$lrg <- keep(log(g$rg))
best <- 0.55 + 0.08 * g$lrg
eta <- 0.7 - 3 * (g$w - best)^2 + rnorm(4, 0, 0.3)[as.integer(sub("m", "", g$model))]
g$score <- keep(rbeta(nrow(g), plogis(eta) * 60, plogis(-eta) * 60))
g$modelFactor <- factor(g$model)
grid <- expand.grid(w = seq(0, 1, 0.25), lrg = seq(log(0.1), log(6), length.out = 5), modelFactor = factor("m1", levels(g$modelFactor)))
describe <- function(m, exclude = NULL) {
  p <- predict(m, grid, type = "link", se.fit = TRUE, exclude = exclude)
  list(edf = keep(sum(m$edf)), reml = keep(as.numeric(m$gcv.ubre)), phi = keep(exp(m$family$getTheta())),
    sp = I(keep(unname(m$sp))), link = keep(unname(c(p$fit))), linkSe = keep(unname(c(p$se.fit))))
}
surfaces <- list(
  plain = describe(gam(score ~ te(w, lrg, k = c(5, 5)), family = betar(), data = g, method = "REML")),
  wide = describe(gam(score ~ te(w, lrg, k = c(6, 4)), family = betar(), data = g, method = "REML")),
  grouped = describe(gam(score ~ te(w, lrg, k = c(5, 5)) + s(modelFactor, bs = "re"), family = betar(), data = g,
    method = "REML"), "s(modelFactor)"),
  gaussian = {
    m <- gam(score ~ te(w, lrg, k = c(5, 5)), data = g, method = "REML")
    p <- predict(m, grid, type = "link", se.fit = TRUE)
    list(edf = keep(sum(m$edf)), sigma = keep(sqrt(m$sig2)), link = keep(unname(c(p$fit))), linkSe = keep(unname(c(p$se.fit))))
  }
)
write(list(software = software, data = g[, c("plw", "rg", "w", "lrg", "model", "score")],
  grid = data.frame(w = keep(grid$w), lrg = keep(grid$lrg)), surfaces = surfaces), "surface.json")
